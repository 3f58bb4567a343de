"""Floor 2: the MuJoCo world of the tea-bag task: scene, expert, environment."""
