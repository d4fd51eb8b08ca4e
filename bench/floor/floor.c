// The floor: the least work of a group server on this kernel. One process, one epoll loop, no
// limits, no heartbeats, no history. It is a reference for measurements and not for deployment: it
// trusts its clients, and closes those that it does not understand.
//
//   floor --port N [--batch]     PORT 0 picks a free one; prints "listening PORT" when it serves.
//
// A message's frame is encoded once. Plain: one send() per member and message. --batch: one send()
// per member and epoll round, with all messages of the group in that round. It understands RFC 6455
// (no extensions, no fragments) and, as text, exactly
//   {"cmd":"add_group","group_id":"G","id":N}  -> {"type":"ack","id":N}    (without "id": no reply)
//   {"cmd":"leave_group","group_id":"G","id":N} -> {"type":"ack","id":N}
//   {"cmd":"send_to_group","group_id":"G","message":"M"} -> M to every member, unchanged
// without white space between the tokens and without escapes in the texts.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  READ_BYTES = 256 * 1024,
  HELD_BYTES_MAX = 1024 * 1024,        // of a request or frame that has not come whole
  PENDING_BYTES_MAX = 64 * 1024 * 1024, // of what a member has not taken
  ROUND_EVENTS = 1024,
  BACKLOG = 4096,
};

typedef struct {
  uint8_t *bytes;
  size_t length, capacity;
} Bytes;

typedef struct Group Group;

typedef struct {
  Group *group;
  uint32_t seat; // where in the group's members
} Membership;

typedef struct {
  int fd;
  bool open;  // the upgrade is done
  bool dying; // closed at the end of the round: a fan-out may be walking over it
  Bytes held, pending;
  Membership *memberships;
  uint32_t membershipCount, membershipCapacity;
} Connection;

typedef struct {
  Connection *connection;
  uint32_t membership; // where in the connection's memberships
} Seat;

struct Group {
  Group *next;
  uint64_t hash;
  Seat *seats;
  uint32_t count, capacity;
  Bytes batch;
  bool dirty;
  uint32_t nameLength;
  char name[];
};

static int epollFd;
static bool batching;
static uint8_t readBuffer[READ_BYTES + HELD_BYTES_MAX];
static Group **buckets;
static size_t bucketCount = 1024, groupCount;
static Group **dirtyGroups;
static size_t dirtyCount, dirtyCapacity;
static Connection **dying;
static size_t dyingCount, dyingCapacity;

static void *grown(void *array, size_t bytes) {
  void *result = realloc(array, bytes);
  if (result == NULL) {
    perror("realloc");
    exit(1);
  }
  return result;
}

static void append(Bytes *to, const void *bytes, size_t length) {
  if (to->length + length > to->capacity) {
    size_t capacity = to->capacity == 0 ? 256 : to->capacity;
    while (capacity < to->length + length) capacity *= 2;
    to->bytes = grown(to->bytes, capacity);
    to->capacity = capacity;
  }
  memcpy(to->bytes + to->length, bytes, length);
  to->length += length;
}

static void release(Bytes *bytes) {
  free(bytes->bytes);
  *bytes = (Bytes){0};
}

// --- SHA-1 and base64, for the answer to the upgrade -------------------------------------------

static uint32_t rotated(uint32_t word, int by) { return (word << by) | (word >> (32 - by)); }

static void sha1Block(uint32_t state[5], const uint8_t *block) {
  uint32_t w[80];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 80; i++) {
    uint32_t f, k;
    if (i < 20) f = (b & c) | (~b & d), k = 0x5a827999;
    else if (i < 40) f = b ^ c ^ d, k = 0x6ed9eba1;
    else if (i < 60) f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
    else f = b ^ c ^ d, k = 0xca62c1d6;
    uint32_t next = rotated(a, 5) + f + e + k + w[i];
    e = d, d = c, c = rotated(b, 30), b = a, a = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

// At most 119 bytes, which is two blocks: a key of 24 and the fixed 36 are far below.
static void sha1(const uint8_t *bytes, size_t length, uint8_t digest[20]) {
  uint8_t blocks[128] = {0};
  memcpy(blocks, bytes, length);
  blocks[length] = 0x80;
  size_t total = length + 9 <= 64 ? 64 : 128;
  for (int i = 0; i < 8; i++) blocks[total - 1 - i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
  uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (size_t at = 0; at < total; at += 64) sha1Block(state, blocks + at);
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const uint8_t digest[20], char text[29]) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t padded[21] = {0};
  memcpy(padded, digest, 20);
  for (int i = 0; i < 7; i++) {
    uint32_t three = (uint32_t)padded[3 * i] << 16 | (uint32_t)padded[3 * i + 1] << 8 | padded[3 * i + 2];
    for (int j = 0; j < 4; j++) text[4 * i + j] = letters[three >> (18 - 6 * j) & 63];
  }
  text[27] = '=';
  text[28] = 0;
}

// --- connections -------------------------------------------------------------------------------

static void doom(Connection *connection) {
  if (connection->dying) return;
  connection->dying = true;
  if (dyingCount == dyingCapacity) {
    dyingCapacity = dyingCapacity == 0 ? 64 : 2 * dyingCapacity;
    dying = grown(dying, dyingCapacity * sizeof *dying);
  }
  dying[dyingCount++] = connection;
}

static void watch(Connection *connection, bool writable) {
  struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = connection};
  epoll_ctl(epollFd, EPOLL_CTL_MOD, connection->fd, &event);
}

static void sendBytes(Connection *to, const void *bytes, size_t length) {
  if (to->dying) return;
  size_t sent = 0;
  if (to->pending.length == 0) {
    ssize_t result = send(to->fd, bytes, length, MSG_NOSIGNAL);
    if (result == (ssize_t)length) return;
    if (result < 0 && errno != EAGAIN && errno != EINTR) return doom(to);
    sent = result < 0 ? 0 : (size_t)result;
    watch(to, true);
  }
  if (to->pending.length + length - sent > PENDING_BYTES_MAX) return doom(to);
  append(&to->pending, (const uint8_t *)bytes + sent, length - sent);
}

static void sendPending(Connection *to) {
  ssize_t sent = send(to->fd, to->pending.bytes, to->pending.length, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) doom(to);
    return;
  }
  to->pending.length -= (size_t)sent;
  memmove(to->pending.bytes, to->pending.bytes + sent, to->pending.length);
  if (to->pending.length > 0) return;
  release(&to->pending);
  watch(to, false);
}

// Writes a server's frame head (not masked); returns its length.
static size_t frameHead(uint8_t head[10], uint8_t opcode, size_t length) {
  head[0] = 0x80 | opcode;
  if (length < 126) return head[1] = (uint8_t)length, 2;
  if (length < 65536) return head[1] = 126, head[2] = (uint8_t)(length >> 8), head[3] = (uint8_t)length, 4;
  head[1] = 127;
  for (int i = 0; i < 8; i++) head[2 + i] = (uint8_t)((uint64_t)length >> (56 - 8 * i));
  return 10;
}

static void sendFrame(Connection *to, uint8_t opcode, const void *payload, size_t length) {
  uint8_t frame[512];
  if (length > sizeof frame - 10) return doom(to);
  size_t head = frameHead(frame, opcode, length);
  memcpy(frame + head, payload, length);
  sendBytes(to, frame, head + length);
}

// --- groups ------------------------------------------------------------------------------------

static uint64_t hashOf(const char *name, size_t length) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)name[i]) * 0x100000001b3u;
  return hash;
}

static void spreadBuckets(void) {
  size_t count = bucketCount * 2;
  Group **larger = calloc(count, sizeof *larger);
  if (larger == NULL) return;
  for (size_t i = 0; i < bucketCount; i++) {
    for (Group *group = buckets[i], *next; group != NULL; group = next) {
      next = group->next;
      group->next = larger[group->hash & (count - 1)];
      larger[group->hash & (count - 1)] = group;
    }
  }
  free(buckets);
  buckets = larger;
  bucketCount = count;
}

static Group *findGroup(const char *name, size_t length, bool create) {
  uint64_t hash = hashOf(name, length);
  for (Group *group = buckets[hash & (bucketCount - 1)]; group != NULL; group = group->next)
    if (group->hash == hash && group->nameLength == length && memcmp(group->name, name, length) == 0) return group;
  if (!create) return NULL;
  if (groupCount++ >= bucketCount) spreadBuckets();
  Group *group = grown(NULL, sizeof *group + length);
  *group = (Group){.next = buckets[hash & (bucketCount - 1)], .hash = hash, .nameLength = (uint32_t)length};
  memcpy(group->name, name, length);
  buckets[hash & (bucketCount - 1)] = group;
  return group;
}

static void removeIfEmpty(Group *group) {
  // A dirty one is looked at again when it has been flushed.
  if (group->count > 0 || group->dirty) return;
  Group **link = &buckets[group->hash & (bucketCount - 1)];
  while (*link != group) link = &(*link)->next;
  *link = group->next;
  groupCount--;
  free(group->seats);
  release(&group->batch);
  free(group);
}

static Membership *membershipOf(Connection *connection, Group *group) {
  for (uint32_t i = 0; i < connection->membershipCount; i++)
    if (connection->memberships[i].group == group) return &connection->memberships[i];
  return NULL;
}

static void join(Connection *connection, Group *group) {
  if (membershipOf(connection, group) != NULL) return;
  if (group->count == group->capacity) {
    group->capacity = group->capacity == 0 ? 4 : 2 * group->capacity;
    group->seats = grown(group->seats, group->capacity * sizeof *group->seats);
  }
  if (connection->membershipCount == connection->membershipCapacity) {
    connection->membershipCapacity = connection->membershipCapacity == 0 ? 1 : 2 * connection->membershipCapacity;
    connection->memberships = grown(connection->memberships, connection->membershipCapacity * sizeof(Membership));
  }
  group->seats[group->count] = (Seat){connection, connection->membershipCount};
  connection->memberships[connection->membershipCount++] = (Membership){group, group->count++};
}

// The last seat and the last membership move into the places that become free.
static void leave(Connection *connection, Membership *membership) {
  Group *group = membership->group;
  uint32_t seat = membership->seat;
  Seat moved = group->seats[--group->count];
  group->seats[seat] = moved;
  moved.connection->memberships[moved.membership].seat = seat;
  Membership last = connection->memberships[--connection->membershipCount];
  if (last.group != group) {
    *membership = last;
    last.group->seats[last.seat].membership = (uint32_t)(membership - connection->memberships);
  }
  removeIfEmpty(group);
}

static void publish(Group *group, const void *message, size_t length) {
  if (group == NULL || group->count == 0) return;
  uint8_t head[10];
  size_t headLength = frameHead(head, 1, length);
  append(&group->batch, head, headLength);
  append(&group->batch, message, length);
  if (batching) {
    if (group->dirty) return;
    group->dirty = true;
    if (dirtyCount == dirtyCapacity) {
      dirtyCapacity = dirtyCapacity == 0 ? 64 : 2 * dirtyCapacity;
      dirtyGroups = grown(dirtyGroups, dirtyCapacity * sizeof *dirtyGroups);
    }
    dirtyGroups[dirtyCount++] = group;
    return;
  }
  for (uint32_t i = 0; i < group->count; i++) sendBytes(group->seats[i].connection, group->batch.bytes, group->batch.length);
  group->batch.length = 0;
}

static void flushGroups(void) {
  for (size_t g = 0; g < dirtyCount; g++) {
    Group *group = dirtyGroups[g];
    for (uint32_t i = 0; i < group->count; i++) sendBytes(group->seats[i].connection, group->batch.bytes, group->batch.length);
    group->batch.length = 0;
    group->dirty = false;
    removeIfEmpty(group);
  }
  dirtyCount = 0;
}

// --- commands ----------------------------------------------------------------------------------

// The text of a field, as it stands between its quotes; NULL when it is missing.
static const char *textField(const char *json, size_t length, const char *name, size_t *fieldLength) {
  char pattern[32];
  int patternLength = snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
  const char *found = memmem(json, length, pattern, (size_t)patternLength);
  if (found == NULL) return NULL;
  const char *text = found + patternLength;
  const char *end = memchr(text, '"', length - (size_t)(text - json));
  if (end == NULL || memchr(text, '\\', (size_t)(end - text)) != NULL) return NULL;
  *fieldLength = (size_t)(end - text);
  return text;
}

static void acknowledge(Connection *to, const char *json, size_t length) {
  const char *found = memmem(json, length, "\"id\":", 5);
  if (found == NULL) return;
  const char *id = found + 5, *end = id;
  while (end < json + length && *end != ',' && *end != '}') end++;
  char reply[128];
  int replyLength = snprintf(reply, sizeof reply, "{\"type\":\"ack\",\"id\":%.*s}", (int)(end - id > 64 ? 64 : end - id), id);
  sendFrame(to, 1, reply, (size_t)replyLength);
}

static void handleCommand(Connection *from, const char *json, size_t length) {
  size_t commandLength, groupLength, messageLength;
  const char *command = textField(json, length, "cmd", &commandLength);
  const char *name = textField(json, length, "group_id", &groupLength);
  if (command == NULL || name == NULL) return doom(from);
  if (commandLength == 13 && memcmp(command, "send_to_group", 13) == 0) {
    const char *message = textField(json, length, "message", &messageLength);
    if (message == NULL) return doom(from);
    publish(findGroup(name, groupLength, false), message, messageLength);
  } else if (commandLength == 9 && memcmp(command, "add_group", 9) == 0) {
    join(from, findGroup(name, groupLength, true));
    acknowledge(from, json, length);
  } else if (commandLength == 11 && memcmp(command, "leave_group", 11) == 0) {
    Group *group = findGroup(name, groupLength, false);
    Membership *membership = group == NULL ? NULL : membershipOf(from, group);
    if (membership != NULL) leave(from, membership);
    acknowledge(from, json, length);
  } else {
    doom(from);
  }
}

// --- reading -----------------------------------------------------------------------------------

static size_t upgrade(Connection *connection, char *request, size_t length) {
  char *end = memmem(request, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  *end = 0;
  const char *key = strcasestr(request, "\r\nsec-websocket-key:");
  if (key == NULL) return doom(connection), 0;
  key += 20;
  while (*key == ' ') key++;
  size_t keyLength = strcspn(key, " \r\n");
  if (keyLength > 64) return doom(connection), 0;
  uint8_t input[128], digest[20];
  memcpy(input, key, keyLength);
  memcpy(input + keyLength, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
  sha1(input, keyLength + 36, digest);
  char accept[29], reply[256];
  base64(digest, accept);
  int replyLength = snprintf(reply, sizeof reply,
                             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: %s\r\n\r\n",
                             accept);
  connection->open = true;
  sendBytes(connection, reply, (size_t)replyLength);
  return (size_t)(end - request) + 4;
}

// Handles the frame at the begin of `bytes`; returns its length, or 0 when it has not come whole.
static size_t takeFrame(Connection *connection, uint8_t *bytes, size_t length) {
  if (length < 6) return 0;
  if ((bytes[0] & 0xf0) != 0x80 || (bytes[1] & 0x80) == 0) return doom(connection), 0;
  size_t payloadLength = bytes[1] & 0x7f, head = 6;
  if (payloadLength == 126) {
    head = 8;
    payloadLength = (size_t)bytes[2] << 8 | bytes[3];
  } else if (payloadLength == 127) {
    if (length < 14) return 0;
    head = 14;
    payloadLength = 0;
    for (int i = 0; i < 8; i++) payloadLength = payloadLength << 8 | bytes[2 + i];
  }
  if (payloadLength > HELD_BYTES_MAX - 14) return doom(connection), 0;
  if (length < head + payloadLength) return 0;
  const uint8_t *mask = bytes + head - 4;
  uint8_t *payload = bytes + head;
  if ((mask[0] | mask[1] | mask[2] | mask[3]) != 0)
    for (size_t i = 0; i < payloadLength; i++) payload[i] ^= mask[i & 3];
  switch (bytes[0] & 0x0f) {
    case 1: handleCommand(connection, (char *)payload, payloadLength); break;
    case 8: sendFrame(connection, 8, payload, payloadLength > 125 ? 0 : payloadLength), doom(connection); break;
    case 9: sendFrame(connection, 10, payload, payloadLength); break;
    case 10: break;
    default: doom(connection);
  }
  return head + payloadLength;
}

static void readConnection(Connection *connection) {
  size_t held = connection->held.length;
  memcpy(readBuffer, connection->held.bytes == NULL ? readBuffer : connection->held.bytes, held);
  ssize_t got = recv(connection->fd, readBuffer + held, READ_BYTES, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return doom(connection);
  size_t length = held + (size_t)got, at = 0;
  while (!connection->dying && at < length) {
    size_t taken = connection->open ? takeFrame(connection, readBuffer + at, length - at)
                                    : upgrade(connection, (char *)readBuffer + at, length - at);
    if (taken == 0) break;
    at += taken;
  }
  if (connection->dying) return;
  if (length - at > HELD_BYTES_MAX) return doom(connection);
  if (at == length) {
    release(&connection->held);
  } else {
    connection->held.length = 0;
    append(&connection->held, readBuffer + at, length - at);
  }
}

static void acceptAll(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
      close(fd);
      return;
    }
    connection->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epollFd, EPOLL_CTL_ADD, fd, &event);
  }
}

static void bury(void) {
  for (size_t i = 0; i < dyingCount; i++) {
    Connection *connection = dying[i];
    while (connection->membershipCount > 0) leave(connection, &connection->memberships[connection->membershipCount - 1]);
    close(connection->fd);
    release(&connection->held);
    release(&connection->pending);
    free(connection->memberships);
    free(connection);
  }
  dyingCount = 0;
}

static int listenOn(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, BACKLOG) < 0) {
    perror("floor: cannot listen");
    exit(1);
  }
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int count, char **arguments) {
  int port = 0;
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "--batch") == 0) batching = true;
    else if (strcmp(arguments[i], "--port") == 0 && i + 1 < count) port = atoi(arguments[++i]);
    else {
      fprintf(stderr, "usage: floor [--port N] [--batch]\n");
      return 2;
    }
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  buckets = calloc(bucketCount, sizeof *buckets);
  epollFd = epoll_create1(EPOLL_CLOEXEC);
  int listener = listenOn(port);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epollFd, EPOLL_CTL_ADD, listener, &event);
  static struct epoll_event events[ROUND_EVENTS];
  for (;;) {
    int ready = epoll_wait(epollFd, events, ROUND_EVENTS, -1);
    if (ready < 0 && errno != EINTR) return perror("epoll_wait"), 1;
    for (int i = 0; i < ready; i++) {
      Connection *connection = events[i].data.ptr;
      if (connection == NULL) {
        acceptAll(listener);
        continue;
      }
      if (connection->dying) continue;
      if ((events[i].events & EPOLLOUT) != 0 && connection->pending.length > 0) sendPending(connection);
      if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !connection->dying) readConnection(connection);
    }
    flushGroups();
    bury();
  }
}
