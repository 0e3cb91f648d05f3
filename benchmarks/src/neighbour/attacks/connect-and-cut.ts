import { EventsSocket } from '../events-socket.js';
import { ATTACKER_ADDRESS, type Attack, loop } from './attack.js';

const SOCKETS = 50;

/** Clients of a key with a long list of sessions repeatedly connect, subscribe to all, and are cut. */
export const connectAndCut: Attack = async ({ port, tenant, scale, signal, tally }) => {
  await loop(SOCKETS * scale, signal, async () => {
    try {
      const apiKey = tenant.listKey;
      const socket = await EventsSocket.connect({ port, apiKey, localAddress: ATTACKER_ADDRESS });
      const ack = await socket.subscribe(['*']);
      socket.cut();
      tally.add(ack.includes('"ok":true') ? 'connected, subscribed, cut' : `refused: ${ack.slice(0, 60)}`);
    } catch (error) {
      tally.add(`refused: ${error instanceof Error ? error.message : error}`);
    }
  });
};
