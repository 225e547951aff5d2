// @ts-check
/**
 * May this session do that? Pure. The server decides; this greys out what it would refuse.
 *
 * @param {import("./types").Session | null} session
 * @param {string | null | undefined} right
 * @returns {import("./types").Can}
 */
export function judge(session, right) {
  if (!right) return { ok: true };
  if (!session) return { ok: false, why: "Log in first." };
  if (session.rights === null || session.rights.includes(right)) return { ok: true };
  return { ok: false, why: `Your permission groups lack ${right}.` };
}
