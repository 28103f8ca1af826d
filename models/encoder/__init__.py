"""Transformers fine-tuned end to end: articles to topics, sentences with a target to stances."""
