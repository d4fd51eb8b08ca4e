export {
  handleOf,
  type ReadOwner,
  readDirectly,
  type TcpHandle,
  type WriteOwner,
  writeDirectly,
} from './stream-handle.ts';
