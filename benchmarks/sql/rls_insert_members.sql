-- The program that all memories belong to, and a person, in every organization.
INSERT INTO agent_memory.members (organization_id, user_id, role)
SELECT id, member.user_id, member.role
  FROM unnest(%(ids)s::uuid[]) AS id,
       (VALUES ('agent:' || %(agent_id)s::text, 'agent'), ('u1', 'member')) AS member (user_id, role);
