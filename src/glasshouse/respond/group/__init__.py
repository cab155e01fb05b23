"""Detections to incidents: linked by what they share and when, named by technique, weighed, and explained."""
