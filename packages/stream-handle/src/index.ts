export {
  handleOf,
  type ReadOwner,
  readDirectly,
  type TcpHandle,
  takenBytesOf,
  type WriteOwner,
  writeDirectly,
} from './stream-handle.ts';
