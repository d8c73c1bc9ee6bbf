"""Seeing: recordings, cameras, tags, landmarks, thermal pictures. Floor 1."""
