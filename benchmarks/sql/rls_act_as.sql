-- For the session, so that a single statement is a transaction of its own on either side.
SELECT set_config('role', 'authenticated', false),
       set_config('request.jwt.claims', %(claims)s, false);
