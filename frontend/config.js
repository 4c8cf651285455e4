// Read by the page when it is opened. apiBase is where the API is, without a slash at the end:
// "" is where this page came from, or http://localhost:5000 when it was opened as a file.
// A page at https://yourdomain.com with its API elsewhere says "https://api.yourdomain.com".
window.BACKTESTER_CONFIG = { apiBase: "" };
