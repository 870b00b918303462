"""One file per figure; each function takes arrays and returns a drawing, or a remark where there is nothing to draw."""
