import type { WafleetClient } from '@wafleet/client';
import type { RemotePhone, SimulatorControl } from '@wafleet/simulator';
import { pause } from '../loop.js';
import { findSession, removeSession } from '../session-calls.js';
import { waitUntil } from '../wait-until.js';

/** The session that is repeatedly linked and unlinked. */
export const LINKING_SESSION = 'linking';

const STATUS_TIMEOUT_MS = 60_000;
/** How long a QR code is shown before the person requests a pairing code. */
const QR_MS = 2_000;
/** How long a person takes to type eight characters. */
const TYPING_MS = 3_000;
const LINKED_MS = 6_000;

interface LinkingCast {
  readonly client: WafleetClient;
  readonly control: SimulatorControl;
  readonly phone: RemotePhone;
  readonly friend: RemotePhone;
}

/**
 * The short life of a session: it is created, shows a QR code, is linked by a pairing code, gets a message, loses its
 * connection, gets another message after the reconnect, is unlinked on the phone, and is deleted. Produces auth.qr,
 * auth.pairing-code, creds.update and connection.update.
 */
export async function liveThroughLinking(
  { client, control, phone, friend }: LinkingCast,
  signal: AbortSignal,
): Promise<void> {
  const statusIs = (status: string) =>
    waitUntil(
      async () => ((await findSession(client, LINKING_SESSION))?.status === status ? true : undefined),
      {
        what: `the session ${LINKING_SESSION} is ${status}`,
        timeoutMs: STATUS_TIMEOUT_MS,
        signal,
      },
    );

  await removeSession(client, LINKING_SESSION);
  await client.call('create-session', { body: { id: LINKING_SESSION, name: 'Vera, by pairing code' } });
  await statusIs('awaiting_link');
  await pause(QR_MS, signal);
  const { code } = await client.call('pairing-code', {
    params: { id: LINKING_SESSION },
    body: { phone: phone.number },
  });
  await pause(TYPING_MS, signal);
  await phone.enterCode(code);
  await statusIs('open');
  await friend.send(phone, 'Welcome!');
  await pause(LINKED_MS, signal);
  await control.fault({ kind: 'disconnect', target: phone.number, cause: { code: 503 } });
  await friend.send(phone, 'Are you there?');
  await pause(LINKED_MS, signal);
  await statusIs('open');
  await phone.unlink();
  await statusIs('logged_out');
}
