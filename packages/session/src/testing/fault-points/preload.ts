import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { keepIn, labelFrame, passCommand, passFrame } from './fault-point.js';

/**
 * Loaded into a worker process ahead of everything (`node --import`), halts it for good at one step of a way (see
 * fault-point.ts). The worker is the real one: commands to Redis and
 * frames to WhatsApp are watched where their libraries send them, and Baileys' own noise handler tells which stanza a
 * frame holds.
 *
 * The query of this module's URL names the folder for what was seen: `?folder=/path`. It may have `qrLifeMs` and
 * `linkPatienceMs`, so that nobody links a phone within seconds.
 */
keepIn(new URL(import.meta.url).searchParams.get('folder') ?? fileURLToPath(new URL('.', import.meta.url)));

// Before anything loads Baileys.
register(`./resolution.js${new URL(import.meta.url).search}`, import.meta.url);

const sendCommand = Redis.prototype.sendCommand;
Redis.prototype.sendCommand = function (command, stream) {
  passCommand(command);
  return sendCommand.call(this, command, stream);
};

const sendFrame = WebSocket.prototype.send;
function send(this: WebSocket, data: Buffer, onWritten: (error?: Error) => void): void {
  const label = labelFrame();
  sendFrame.call(this, data, {}, (error) => {
    if (error === undefined || error === null) passFrame(label);
    onWritten(error);
  });
}
Object.defineProperty(WebSocket.prototype, 'send', { value: send, writable: true });
