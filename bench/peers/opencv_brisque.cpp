// BRISQUE as OpenCV's quality module computes it: the peer whose numbers and speed Pristine's `brisque` is measured against.
// One thread, one image at a time, cv::imread + QualityBRISQUE::compute; prints one line per image: path, tab, score.
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/quality/qualitybrisque.hpp>

namespace fs = std::filesystem;

// A folder (its files in ordinal order, not recursive) or a text file with one path per line.
static std::vector<std::string> paths_of(const fs::path& source)
{
    std::vector<std::string> paths;
    if (fs::is_directory(source)) {
        for (const auto& entry : fs::directory_iterator(source))
            if (entry.is_regular_file())
                paths.push_back(entry.path().string());
        std::sort(paths.begin(), paths.end());
        return paths;
    }
    std::ifstream list(source);
    if (!list)
        throw std::runtime_error("expected a folder or a readable list of paths; found " + source.string());
    for (std::string line; std::getline(list, line);)
        if (!line.empty())
            paths.push_back(line);
    return paths;
}

int main(int argc, char** argv)
{
    if (argc != 4) {
        std::cerr << "usage: opencv_brisque MODEL.yml RANGE.yml LIST_OR_FOLDER\n";
        return 2;
    }
    try {
        cv::setNumThreads(1);
        const auto brisque = cv::quality::QualityBRISQUE::create(argv[1], argv[2]);
        int failed = 0;
        std::cout.precision(9);
        for (const auto& path : paths_of(argv[3])) {
            const cv::Mat image = cv::imread(path);
            if (image.empty()) {
                std::cerr << "cannot read " << path << '\n';
                ++failed;
                continue;
            }
            std::cout << path << '\t' << brisque->compute(image)[0] << '\n';
        }
        return failed == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "opencv_brisque: " << error.what() << '\n';
        return 1;
    }
}
