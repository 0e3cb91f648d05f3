import type { Socket } from 'node:net';

/** How long a side that does not end may take to receive the last bytes. */
const LINGER_MS = 5_000;

/** Connects two sockets to each other until either ends. What one sent before its end still reaches the other. */
export function joinSockets(one: Socket, other: Socket): void {
  carry(one, other);
  carry(other, one);
}

function carry(from: Socket, to: Socket): void {
  from.setTimeout(0);
  from.setNoDelay(true);
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.once('close', () => {
    to.setTimeout(LINGER_MS, () => to.destroy());
    to.destroySoon();
  });
}
