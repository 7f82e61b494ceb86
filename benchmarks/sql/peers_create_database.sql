-- The name is ours; %%I is format's.
SELECT format('CREATE DATABASE %%I', %(name)s::text) AS creating,
       format('DROP DATABASE IF EXISTS %%I WITH (FORCE)', %(name)s::text) AS dropping;
