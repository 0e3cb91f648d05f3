export interface BannerFacts {
  readonly edges: readonly string[];
  readonly apiKey: string;
  /** Paragraphs about the services behind the cluster. */
  readonly about: readonly string[];
}

/**
 * The text shown when everything runs: the addresses, the key, and clients to paste into a second terminal. The
 * JavaScript client finds its library in the project's folder.
 */
export function banner({ edges, apiKey, about }: BannerFacts): string {
  const [edge = ''] = edges;
  return `
────────────────────────────────────────────────────────────────────────
 Wafleet runs.                                   Ctrl-C stops all of it.

   Edges     ${edges.join('   ')}
   REST API  ${edge}/docs
   API key   ${apiKey}

${about.map((paragraph) => `   ${paragraph}`).join('\n')}

 See its events from another terminal, in this folder.

   JavaScript:

node -e "
const { io } = require('socket.io-client');
const socket = io('${edge}/api/events', { auth: { token: '${apiKey}' } });
socket.on('connect', () => console.log('Connected'));
socket.on('connect_error', (error) => console.log(error.message));
socket.emit('subscribe', ['*']);
socket.onAny((event, payload) => console.log(event, JSON.stringify(payload)));
"

   Python, after  pip install 'python-socketio[client]':

python3 -c "
import socketio
sio = socketio.Client()
sio.on('*', lambda event, payload: print(event, payload))
sio.connect('${edge}/api/events', auth={'token': '${apiKey}'})
sio.emit('subscribe', ['*'])
sio.wait()
"
────────────────────────────────────────────────────────────────────────
`;
}
