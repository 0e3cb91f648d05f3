import { EventsSocket } from '../events-socket.js';
import { ATTACKER_ADDRESS, type Attack, aborted } from './attack.js';

const CLIENTS = 20;

/** Clients while very large messages are sent: half read them live, half request past events. */
export const largeMessages: Attack = async ({ port, tenant, scale, signal, tally }) => {
  const clients = await Promise.all(
    Array.from({ length: Math.max(2, Math.round(CLIENTS * scale)) }, async (_, index) => {
      const onEvent = () => tally.add('events delivered');
      const { apiKey } = tenant;
      const socket = await EventsSocket.connect({ port, apiKey, localAddress: ATTACKER_ADDRESS, onEvent });
      void socket.closed.then((reason) => {
        if (!signal.aborted) tally.add(`closed: ${reason}`);
      });
      await socket.subscribe({ events: ['*'], ...(index % 2 === 0 ? {} : { since: '0-0' }) });
      return socket;
    }),
  );
  await aborted(signal);
  for (const socket of clients) socket.cut();
};
