// On a phone, what reads from left to right keeps its size and scrolls. The other diagrams are made
// to fit: they would begin with an empty corner.
const initialize = mermaid.initialize;
mermaid.initialize = (options) => {
  const useMaxWidth = innerWidth > 720;
  initialize({
    ...options,
    flowchart: { ...options.flowchart, useMaxWidth },
    sequence: { ...options.sequence, useMaxWidth },
  });
};
