import { readFileSync } from 'node:fs';

const LISTENING = '0A';

/**
 * Counts the accepted TCP connections to a port of this machine for which a process still holds a descriptor. Read
 * from Linux' /proc/net/tcp, where a connection that its process has closed has no inode any more.
 */
export function heldConnections(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((file) => lines(file))
    .filter((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      return local.endsWith(`:${wanted}`) && state !== LISTENING && inode !== '0';
    }).length;
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    // A machine without IPv6 has no such file.
    return [];
  }
}
