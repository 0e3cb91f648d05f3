import type { MediaFault } from '../media/media-store.js';
import { markDirty } from '../notifications/notices.js';
import type { CloseCause } from '../transport/close-cause.js';
import type { StateAnswer } from './answers.js';
import type { ControlledSimulator } from './controlled-simulator.js';
import { found } from './lookup.js';
import { type ControlRoute, route } from './routes.js';
import { bodies } from './schemas.js';

/** The state of the server, and the faults that can be injected. */
export const faultRoutes: readonly ControlRoute[] = [
  route('GET', '/state', bodies.nothing, ({ simulator }): StateAnswer => {
    const { url, rootKey, connectionCount, world } = simulator;
    return { url, rootKey, phones: [...world.phones()].length, connections: connectionCount };
  }),
  route('POST', '/faults', bodies.fault, ({ simulator, find, body }) => {
    switch (body.kind) {
      case 'disconnect':
        disconnect(simulator, body.target, body.cause);
        break;
      case 'reject-upgrades':
        simulator.rejectUpgrades(body.status);
        break;
      case 'refuse-logins':
        simulator.refuseLogins(body.reason, body.number === undefined ? undefined : find.phone(body.number));
        break;
      case 'refuse-messages':
        simulator.refuseMessages(body.error, body.number === undefined ? undefined : find.phone(body.number));
        break;
      case 'dirty':
        markDirty(find.phone(body.number), body.type);
        break;
      case 'spend-pre-keys':
        for (const device of find.phone(body.number).devices.values()) device.spendPreKeys(body.left);
        break;
      case 'media':
        breakMedia(simulator, body.path, body.fault);
        break;
      case 'accept-versions':
        if (body.toLink === true) simulator.clientVersions.linkOnly(body.versions);
        else simulator.clientVersions.acceptOnly(body.versions);
        break;
      case 'version-page':
        simulator.clientVersions.serve(body.page);
        break;
      case 'silence':
        simulator.goSilent();
        break;
      case 'resume':
        simulator.resume();
        break;
    }
  }),
];

function disconnect(simulator: ControlledSimulator, target: string, cause: CloseCause): void {
  if (target === 'all') {
    simulator.disconnectAll(cause);
    return;
  }
  const named = simulator.world.device(target) ?? simulator.world.phoneByNumber(target);
  simulator.disconnect(found(named, `device or phone ${target}`), cause);
}

function breakMedia(
  { media }: ControlledSimulator,
  path: string,
  fault: MediaFault | 'expire' | 'lose',
): void {
  found(media.get(path), `file ${path}`);
  if (fault === 'expire') media.expire(path);
  else if (fault === 'lose') media.lose(path);
  else media.breakAt(path, fault);
}
