// The batch of rollouts: the protocol's starts, the table, the article's beside it. What it hears joins what `main` hears.

const batchHears = {};
