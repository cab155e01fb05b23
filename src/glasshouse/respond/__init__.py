"""Security events in, incidents and response plans out.

Order of work: `read` opens logs and yields events in chunks; `sigma` gives compiled rules; `engine` matches and
correlates; `group` joins detections to incidents, names techniques and weighs; `plan` proposes a CACAO playbook;
`render` writes reports.  `run.detect` joins the first steps.

Values in, values out: nothing here carries out an action, and nothing here opens a network connection.  What could not
be analysed is part of the result.
"""
