drawOverview();
if (metrics.length > 0) readAddress();
drawIssues();
drawDuplicates();
if (metrics.length > 0) {
  drawThreshold();
  drawGallery();
  drawBreakdown();
  drawPairs();
  state.listeners.push(writeAddress);
} else
  for (const id of ['threshold', 'gallery', 'breakdown', 'pairs']) section(id).hidden = true;
drawFailures();
drawProvenance();
