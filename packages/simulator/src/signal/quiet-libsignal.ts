/**
 * libsignal prints whole session records, private keys included, through the global console. Importing this file
 * drops its lines, which are recognised by how they begin. Everything else is printed as before.
 */
const beginnings = [
  'Closing session:',
  'Opening session:',
  'Removing old closed session:',
  'Session already closed',
  'Session already open',
  'Migrating session to:',
  'Closing open session in favor of incoming prekey bundle',
  'Decrypted message with closed session.',
  'Failed to decrypt message with any known session',
  'Session error:',
  'V1 session storage migration error',
];

const target = globalThis.console;

for (const method of ['info', 'warn', 'error'] as const) {
  const print = target[method].bind(target);
  target[method] = (...parts: unknown[]) => {
    const [first] = parts;
    if (typeof first === 'string' && beginnings.some((beginning) => first.startsWith(beginning))) return;
    print(...parts);
  };
}
