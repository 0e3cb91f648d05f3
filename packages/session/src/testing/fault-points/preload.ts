import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { commandLeaves, frameLeaves } from './fault-point.js';
import { keepIn } from './way.js';

/**
 * This module is loaded into a worker process ahead of everything (`node --import`). It halts the process permanently
 * at one step of a way (see fault-point.ts). The worker is the real one: commands to Redis and frames to WhatsApp are
 * watched where their libraries send them, and Baileys' own noise handler shows which stanza a frame holds.
 *
 * The query of this module's URL names the folder for orders and for what was seen: `?folder=/path`.
 */
keepIn(new URL(import.meta.url).searchParams.get('folder') ?? fileURLToPath(new URL('.', import.meta.url)));

// Before anything loads Baileys.
register('./resolution.js', import.meta.url);

const sendCommand = Redis.prototype.sendCommand;
Redis.prototype.sendCommand = function (command, stream) {
  commandLeaves(command);
  return sendCommand.call(this, command, stream);
};

const sendFrame = WebSocket.prototype.send;
function send(this: WebSocket, data: Buffer, done: (error?: Error) => void): void {
  const onWritten = frameLeaves();
  sendFrame.call(this, data, {}, (error) => {
    onWritten(error === undefined || error === null);
    done(error);
  });
}
Object.defineProperty(WebSocket.prototype, 'send', { value: send, writable: true });
