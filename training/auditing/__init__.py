"""The data audit: what of a labelled corpus a person should look at before anybody trains on it."""
