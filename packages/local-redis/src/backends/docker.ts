import type { GenericContainer } from 'testcontainers';
import { type FindBackend, type RunningServer, type ServerSettings, serverArguments } from './backend.js';

const IMAGE = 'redis:7-alpine';

/** A container, where an engine that testcontainers knows answers: Docker, Podman, Colima and the like. */
export const inDocker: FindBackend = async () => {
  // Loaded here, since most starts are served by a step before this one and its import alone takes a second.
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  try {
    await getContainerRuntimeClient();
  } catch {
    return { missing: 'no container engine answers' };
  }
  return {
    backend: {
      description: `${IMAGE} in a container`,
      launch: (settings) => launch(new GenericContainer(IMAGE), settings),
    },
  };
};

async function launch(container: GenericContainer, settings: ServerSettings): Promise<RunningServer> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const { port, dir } = settings;
  const user = process.getuid === undefined ? 'redis' : `${process.getuid()}:${process.getgid?.()}`;
  const started = await container
    .withExposedPorts({ container: port, host: port })
    .withBindMounts([{ source: dir, target: '/data' }])
    // The files in `dir` are to belong to whoever started this, so that they can remove them.
    .withUser(user)
    .withCommand(['redis-server', ...serverArguments(settings, '0.0.0.0', '/data')])
    .start();
  const client = await getContainerRuntimeClient();
  const ended = client.container
    .getById(started.getId())
    .wait()
    .then(() => 'the container ended');
  return {
    pid: undefined,
    ended,
    stop: async () => {
      await started.stop({ timeout: 10_000 });
    },
    kill: async () => {
      await started.stop({ timeout: 0 });
    },
  };
}
