# The command in an image of Debian. build/pack.sh makes the archive that goes into it, on Debian 12 or with AOT=no:
#   AOT=no build/pack.sh out/release linux-x64
#   docker build --tag pristine .
#   docker run --rm --volume "$PWD/photos:/data:ro" pristine score /data
# What is written goes into a volume, with the user's own id:
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" pristine score photos --out scores
FROM debian:12-slim
LABEL org.opencontainers.image.title="pristine" \
      org.opencontainers.image.description="Scores images with no-reference quality metrics and filters training sets" \
      org.opencontainers.image.licenses="Apache-2.0"
# libturbojpeg0 decodes JPEG about twice as fast; downloads need libssl3 and the certificates; all else is in the archive.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 libstdc++6 libturbojpeg0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 pristine \
    && install --directory --owner=pristine /models
ADD out/release/archives/pristine-*-linux-x64.tar.gz /opt/
RUN ln -s /opt/pristine-*-linux-x64/pristine /usr/local/bin/pristine
# Models that are pulled stay in a volume: --volume pristine-models:/models
ENV PRISTINE_MODELS=/models
USER pristine
WORKDIR /data
ENTRYPOINT ["pristine"]
CMD ["--help"]
