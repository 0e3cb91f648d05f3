import type { WASocket } from '@whiskeysockets/baileys';

/** WhatsApp accepts a token for four weeks (Baileys, Utils/tc-token-utils.js). */
const TOKEN_LIFE_S = 28 * 86_400;

/**
 * Whether a person has given the account a privacy token. WhatsApp hands one over when somebody writes to the account or
 * answers it, and asks for it in each message: a restricted account can still write to those who gave one.
 * @param ids all known ids of the person.
 */
export async function hasPrivacyToken(
  { authState }: Pick<WASocket, 'authState'>,
  ids: readonly string[],
): Promise<boolean> {
  const tokens = await authState.keys.get('tctoken', [...ids]);
  const oldest = Date.now() / 1_000 - TOKEN_LIFE_S;
  return ids.some((id) => {
    const { token, timestamp } = tokens[id] ?? {};
    return token !== undefined && token.length > 0 && Number(timestamp) > oldest;
  });
}
