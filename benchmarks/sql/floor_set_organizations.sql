-- COPY takes no parameters, so the two organizations are settings of the session.
SELECT set_config('floor.source', %(source)s, false), set_config('floor.goal', %(goal)s, false);
