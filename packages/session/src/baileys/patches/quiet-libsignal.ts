const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const;
/** Part of the path of each file of libsignal. */
export const LIBSIGNAL_FOLDER = /[\\/]node_modules[\\/]libsignal[\\/]/;

const quiet = new WeakSet<Console>();

/**
 * Silences what libsignal writes to a console. Default: the process's console. A second call does nothing. libsignal
 * prints whole session records, private keys included, whenever a session is opened, closed or removed (libsignal
 * 6.0.0, session_record.js). The caller is identified by the call stack, so texts that a later version adds are
 * silenced as well. The output of other code is printed.
 *
 * Removal condition: libsignal prints no keys, or takes a logger (docs/upstream.md, 7).
 */
export function quietLibsignal(console: Console = globalThis.console): void {
  if (quiet.has(console)) return;
  quiet.add(console);
  for (const method of METHODS) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      if (LIBSIGNAL_FOLDER.test(new Error().stack ?? '')) return;
      print(...values);
    };
  }
}
