import { setTimeout as delay } from 'node:timers/promises';
import { describeAnswer, RestCaller } from '../../harness/rest-caller.js';
import { ATTACKER_ADDRESS, type Attack, loop } from './attack.js';

const SENDS = 1_500;
/** The pause after a refusal: the minimum of Retry-After. */
const RETRY_MS = 1_000;

/** Sends 1,500 messages at the same time, from all sessions of the tenant. */
export const sendFlood: Attack = async ({ port, tenant, sessions, recipient, scale, signal, tally }) => {
  const caller = new RestCaller({
    port,
    apiKey: tenant.apiKey,
    localAddress: ATTACKER_ADDRESS,
    connections: SENDS,
  });
  await loop(SENDS * scale, signal, async (index) => {
    const sessionId = sessions[index % sessions.length];
    const call = {
      method: 'POST',
      path: `/api/sessions/${sessionId}/messages`,
      body: { to: recipient, text: `flood ${index}` },
    } as const;
    const answer = await caller.call(call).catch((error: Error) => error.message);
    const described = typeof answer === 'string' ? answer : describeAnswer(answer);
    tally.add(described);
    if (!described.startsWith('2')) await delay(RETRY_MS, undefined, { signal }).catch(() => {});
  });
  caller.close();
};
