import type { Connection } from './connection.js';
import type { Internal } from './internal.js';
import { ProbeClient, sidOf } from './probe-client.js';
import { connectionOf } from './server.js';

/**
 * The event of a connection whose client tries another transport out.
 *
 * Why: such a try is answered and counts as a frame of the client. No event `packet` comes for it.
 * Removal: Engine.IO documents the event, or allows one try for each connection.
 */
export const UPGRADING_EVENT: Internal = {
  library: 'engine.io',
  name: 'the event upgrading of a Socket',
  isThere: async ({ http, io }) => {
    const id = sidOf(await ProbeClient.get(http, 'EIO=4&transport=polling'));
    const connection = connectionOf(io, id);
    if (connection === undefined) return false;
    let isSeen = false;
    onUpgrading(connection, () => {
      isSeen = true;
    });
    const client = ProbeClient.upgrade(http, id);
    try {
      client.send('2probe');
      await client.receive('3probe');
      return isSeen;
    } finally {
      connection.close(true);
      client.close();
    }
  },
};

/** Calls a listener, with the connection as `this`, each time that its client tries another transport out. */
export function onUpgrading(connection: Connection, listener: (this: Connection) => void): void {
  connection.on('upgrading', listener);
}
