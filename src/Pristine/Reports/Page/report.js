drawOverview();
if (metrics.length > 0) {
  drawThreshold();
  drawGallery();
  drawBreakdown();
  drawPairs();
} else
  for (const id of ['threshold', 'gallery', 'breakdown', 'pairs']) section(id).hidden = true;
drawFailures();
drawProvenance();
