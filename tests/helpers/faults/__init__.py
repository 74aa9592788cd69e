"""What is planted into the model, into recordings, snapshots and answers, to be noticed."""
