SELECT to_regclass('public.ai_memories') IS NOT NULL;
