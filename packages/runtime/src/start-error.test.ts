import { expect, test } from 'vitest';
import { listenError, StartError } from './start-error.js';

const at = { host: 'nowhere', port: 3083, variable: 'PEER_PORT', hostVariable: 'PEER_HOST' };

test.each([
  ['EADDRINUSE', /nowhere:3083 is already in use; set PEER_PORT/],
  ['EACCES', /EACCES.*set PEER_PORT/],
  ['EADDRNOTAVAIL', /EADDRNOTAVAIL.*set PEER_HOST/],
  ['ENOTFOUND', /ENOTFOUND.*set PEER_HOST/],
  ['EAI_AGAIN', /EAI_AGAIN.*set PEER_HOST/],
])('a server that fails to listen with %s names the variable to change', (code, message) => {
  const error = listenError(Object.assign(new Error('listen failed'), { code }), at);
  expect(error).toBeInstanceOf(StartError);
  expect(error.message).toMatch(message);
});

test('any other failure to listen stays unchanged', () => {
  const error = new Error('listen failed');
  expect(listenError(error, at)).toBe(error);
});
