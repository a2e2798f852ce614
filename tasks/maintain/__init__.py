"""Maintain: put lake and index in order: update cluster columns, pack files, delete what has expired."""
