"""The modules that snippets may import: `listed` for those taken as they are, the others for those made anew."""
