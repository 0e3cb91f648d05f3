import { EventsSocket } from '../events-socket.js';
import { ATTACKER_ADDRESS, type Attack, loop } from './attack.js';

const SOCKETS = 300;
const PAUSE_MS = 1_000;

/** Many sockets repeatedly request past events of a rare type, which requires a scan of the whole log. */
export const repeatedSubscriptions: Attack = async ({ port, tenant, scale, signal, tally }) => {
  const open = new Map<number, EventsSocket>();
  const stop = () => {
    for (const socket of open.values()) socket.cut();
  };
  signal.addEventListener('abort', stop, { once: true });
  await loop(SOCKETS * scale, signal, async (index) => {
    try {
      const socket =
        open.get(index) ??
        (await EventsSocket.connect({
          port,
          apiKey: tenant.apiKey,
          localAddress: ATTACKER_ADDRESS,
        }));
      if (!open.has(index)) {
        open.set(index, socket);
        tally.add('connections');
        void socket.closed.then((reason) => {
          open.delete(index);
          if (!signal.aborted) tally.add(`closed: ${reason}`);
        });
      }
      const ack = await socket.subscribe({ events: ['call'], since: '0-0' });
      if (signal.aborted) return;
      const code = /"code":"(\w+)"/.exec(ack)?.[1] ?? (ack === 'closed' ? 'closed' : 'ok');
      tally.add(`subscriptions: ${code}`);
      if (code === 'closed') open.delete(index);
    } catch (error) {
      tally.add(`refused: ${error instanceof Error ? error.message : error}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  });
  stop();
};
