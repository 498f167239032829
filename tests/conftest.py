"""What every test can use; each plugin stands in the file that its name says."""

pytest_plugins = [
    "_garbage",  # what was collected is looked through for garbage no more
    "_scenarios",  # the `scenario` mark is checked, `--scenario-report`
    "_network",  # nothing leaves this machine
    "_leftovers",  # a thread or process that outlives the run is a failure
    "_strict",  # with CI=true a skipped test is a failed one
    "_databases",  # postgres_url, database_url
    "_routes",  # addresses of apps that are made anew are compiled once
    "_pages",  # browser, new_page, page, allow_console, axe
    "punktgenau.testing.conformance.plugin",  # checks that do not apply are counted apart, by several processes too
]
