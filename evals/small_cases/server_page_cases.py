"""Error pages that servers, gateways and frameworks answer in place of a result, and pages that
only look alike."""

from evals.small_cases.builder import CaseList, model, says, tool

SERVER_PAGES = CaseList("server_page")

_PAGES = {
    "haproxy": "<html><body><h1>503 Service Unavailable</h1>\nNo server is up.\n</body></html>\n",
    "nginx": "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body></body></html>",
    "apache": '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
    "<title>404 Not Found</title>\n</head></html>",
    "tomcat": '<!doctype html><html lang="en"><head><title>HTTP Status 500 – Internal Server Error'
    "</title></head><body></body></html>",
    "squid": '<!DOCTYPE html><html><head><meta charset="utf-8"><title>ERROR: The requested URL'
    " could not be retrieved</title></head></html>",
    "cloudflare": "<!DOCTYPE html>\n<!--[if lt IE 7]> <html> <![endif]-->\n<head>\n"
    "<title>tides.example | 502: Bad gateway</title></head></html>",
    "spring": "<html><body><h1>Whitelabel Error Page</h1><p>No explicit mapping.</p></body></html>",
    "django": "<!doctype html>\n<html>\n<head><title>Server Error (500)</title></head></html>",
    "heroku": "<!DOCTYPE html><html><head><title>Application Error</title></head></html>",
    "body_with_style": '<body style="color:red"><center><h1>502 Bad Gateway</h1></center></body>',
}
_FORECAST = {
    "tide_page": "<html><body><h1>Tides at Doel</h1>High water 14:02, 4.8 m</body></html>",
    "number_of_a_heading": "<html><body><h1>50 crossings a day</h1>The busiest line.</body></html>",
    "bar_in_a_title": "<html><head><title>Ferry | 502 seats</title></head>Free: 14.</html>",
    "year_in_brackets": "<html><head><title>Timetable (2026)</title></head>Daily.</html>",
}

for _name, _page in _PAGES.items():
    SERVER_PAGES.add(
        _name,
        tool("tide_forecast", {"port": "Doel"}, {"output": _page}, right=True),
        model(says("The evening ferry sails as planned."), asked=f"Forecast: {_page}"),
        answer="The evening ferry sails as planned.",
        says="failed",
    )
for _name, _page in _FORECAST.items():
    SERVER_PAGES.add(
        f"{_name}_healthy",
        tool("tide_forecast", {"port": "Doel"}, {"output": _page}),
        model(says("The evening ferry sails as planned."), asked=f"Forecast: {_page}"),
        answer="The evening ferry sails as planned.",
    )
