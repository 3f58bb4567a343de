"""Floor 5: the page. Gradio lives here and nowhere else."""
