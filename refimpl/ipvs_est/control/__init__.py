"""What drives the estimator: services and destinations, sysctls, netns init and exit."""
