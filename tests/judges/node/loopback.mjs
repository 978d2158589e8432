// Nothing reaches beyond this machine: preloaded with `node --import`.  Having tried to ends the
// program with status 97, whether or not somebody swallowed the error.

import net from "node:net";

const HERE = new Set(["127.0.0.1", "::1", "localhost"]);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function confined(...given) {
  const [first] = Array.isArray(given[0]) ? given[0] : given;
  const { host = "localhost", path } = typeof first === "object" ? first : { host: given[1] };
  if (path === undefined && !HERE.has(host)) {
    console.error(`reached beyond loopback: ${host}`);
    process.on("exit", () => process.exit(97));
    throw new Error(`${host} is not this machine`);
  }
  return connect.apply(this, given);
};
