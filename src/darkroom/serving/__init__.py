"""What serves the released model beside MLflow's own server."""
