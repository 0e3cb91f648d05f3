import type { GenericContainer } from 'testcontainers';
import { type FindBackend, type RunningServer, type ServerSettings, serverArguments } from './backend.js';

const IMAGE = 'redis:7-alpine';

/** A container, if an engine that testcontainers supports answers: Docker, Podman, Colima and the like. */
export const inDocker: FindBackend = async () => {
  // Loaded here because an earlier step serves most starts, and this import alone takes a second.
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
    // The files in `dir` must belong to this process's user, so that the user can remove them.
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
