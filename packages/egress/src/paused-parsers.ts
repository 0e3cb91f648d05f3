import { AssertionError } from 'node:assert';
import type { Socket } from 'node:net';

/** How often it is looked whether an answer was read on, ms. */
const LOOK_MS = 20;

type Listener = (...args: unknown[]) => void;

/**
 * Keeps undici 7 from ending the process. Its HTTP/1 parser pauses while an answer is not read. If the server closes the
 * connection meanwhile, undici's listener on the socket throws an AssertionError, which no caller can catch
 * (nodejs/undici#5360). Here the listener is called again once the answer was read on, and if the connection has failed,
 * the answer fails.
 *
 * Removal condition: a release of undici that has the fix and runs on the oldest supported Node.js. Releases of 8 have the
 * fix and need Node.js 22 (docs/upstream.md, 39).
 * @param socket before it is given to undici.
 * @returns the socket.
 */
export function withPausedParser<S extends Socket>(socket: S): S {
  const addListener = socket.on.bind(socket) as (event: string, listener: Listener) => S;
  const removeListener = socket.off.bind(socket) as (event: string, listener: Listener) => S;
  /** That of undici, which is the first one to listen. */
  let report: Listener | undefined;
  const guards: Readonly<Record<string, (listener: Listener) => Listener>> = {
    end: (listener) => () => {
      const finish = (): void => {
        if (socket.destroyed || !assertsPause(() => listener.call(socket))) return;
        setTimeout(finish, LOOK_MS).unref();
      };
      finish();
    },
    error: (listener) => {
      report ??= listener.bind(socket);
      // For ECONNRESET, undici finishes its parser. Another error it only passes on.
      return (error) => {
        if (assertsPause(() => listener.call(socket, error))) report?.(broken());
      };
    },
    close: (listener) => () => {
      if (!assertsPause(() => listener.call(socket))) return;
      report?.(broken());
      listener.call(socket);
    },
  };
  const added = new Map(Object.keys(guards).map((event) => [event, new WeakMap<Listener, Listener>()]));
  const on = (event: string, listener: Listener): S => {
    const guarded = guards[event]?.(listener) ?? listener;
    added.get(event)?.set(listener, guarded);
    return addListener(event, guarded);
  };
  // undici takes the listeners of each request off again, by the functions that it gave.
  const off = (event: string, listener: Listener): S =>
    removeListener(event, added.get(event)?.get(listener) ?? listener);
  Object.defineProperty(socket, 'on', { value: on, configurable: true });
  for (const name of ['off', 'removeListener']) {
    Object.defineProperty(socket, name, { value: off, configurable: true });
  }
  return socket;
}

/** Whether it throws since the parser is paused. */
function assertsPause(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    return true;
  }
}

function broken(): Error {
  return new Error('The connection was closed before the answer was complete');
}
