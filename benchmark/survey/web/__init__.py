"""The pages of a study: Flask, no session library, plain JavaScript, nothing from another host.

app = create_app(Study.open(folder))           # a WSGI application for any server
"""
