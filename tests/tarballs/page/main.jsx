import { GroupcastClient } from '@groupcast/client';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

function ConnectionState() {
  const [state, setState] = useState('connecting');
  useEffect(() => {
    const client = new GroupcastClient(`ws://${location.host}`);
    client.on('state', (change) => setState(change.state));
    return () => client.close();
  }, []);
  return <p>{state}</p>;
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <ConnectionState />
  </StrictMode>,
);
