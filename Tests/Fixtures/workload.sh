# SPDX-License-Identifier: Apache-2.0
# A little of everything that a machine's processes do: files, links, pipes, sockets, memfd, ids, fork and exec. What tests record live.
# Runs under bash in an empty directory, which it leaves behind; traffic stays on loopback. `$1`: python to use.
python=${1:-python3}
rm -rf "$PWD/w"
mkdir -p "$PWD/w/d"
cd w || exit 1
echo hello > a.txt
cat /etc/hostname > /dev/null
cp a.txt b.txt
mv b.txt c.txt
ln -s /etc/shadow sl
ln a.txt hl
ln -s a.txt rel
chmod 4755 c.txt
chmod 600 a.txt
rm rel
mkdir -p d/e/f
rmdir d/e/f
touch .hidden
ls /etc/passwd > /dev/null
cat /nonexistent/file 2> /dev/null
cat ../w/../w/a.txt > /dev/null
cat /etc/passwd | grep root | wc -l > /dev/null
sh -c 'echo hi | tee t1 t2 >/dev/null'
cp /bin/true /dev/shm/falco-workload-$$ && /dev/shm/falco-workload-$$
rm -f /dev/shm/falco-workload-$$
"$python" - <<'PYTHON'
import ctypes, errno, os, select, signal, socket, threading, time

with open("x.bin", "wb", buffering=0) as file:
    file.write(b"0123456789")
    os.pwrite(file.fileno(), b"AB", 3)
    os.ftruncate(file.fileno(), 8)
    os.fsync(file.fileno())
    os.fchmod(file.fileno(), 0o640)
os.dup2(os.dup(2), 2)

def exchange(family, address):
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind(address)
    server.listen(1)
    def answer():
        peer, _ = server.accept()
        peer.recv(10)
        peer.send(b"pong")
        peer.close()
    thread = threading.Thread(target=answer)
    thread.start()
    client = socket.socket(family, socket.SOCK_STREAM)
    client.connect(server.getsockname())
    client.send(b"GET / ping")
    client.recv(10)
    client.close()
    thread.join()
    server.close()

exchange(socket.AF_INET, ("127.0.0.1", 0))
try:
    exchange(socket.AF_INET6, ("::1", 0))
except OSError:
    pass
exchange(socket.AF_UNIX, "sock")

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b"dgram", receiver.getsockname())
receiver.recvfrom(10)
sender.connect(receiver.getsockname())
sender.send(b"second")
receiver.recv(10)
sender.close()
receiver.close()
one, two = socket.socketpair()
one.send(b"1")
two.recv(1)
one.close()
two.close()
pending = socket.socket()
pending.setblocking(False)
if pending.connect_ex(("127.0.0.1", 1)) == errno.EINPROGRESS:
    poll = select.poll()
    poll.register(pending, select.POLLOUT)
    poll.poll(300)
pending.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
pending.close()

memory = os.memfd_create("workload-memfd")
with open("/bin/true", "rb") as program:
    os.write(memory, program.read())
child = os.fork()
if child == 0:
    os.execve(memory, ["memfdprog", "arg one", "arg2"], {"A": "1", "B": "two words"})
os.waitpid(child, 0)
os.close(memory)
left, right = os.pipe()
os.write(right, b"p")
os.read(left, 1)
os.close(left)
os.close(right)
os.rename("x.bin", "y.bin")
os.unlink("y.bin")
os.symlink("a", "b")
os.link("a.txt", "hl2")
os.mkdir("dd")
os.rmdir("dd")
os.chdir("d")
os.chdir("..")
ctypes.CDLL(None).prctl(15, b"renamed", 0, 0, 0)
with open("a.txt") as file:
    file.read()
child = os.fork()
if child == 0:
    try:
        os.setgid(65534)
        os.setuid(65534)
        open("/etc/shadow")
    finally:
        os._exit(3)
os.waitpid(child, 0)
child = os.fork()
if child == 0:
    signal.pause()
    os._exit(0)
os.kill(child, signal.SIGTERM)
os.waitpid(child, 0)
with select.epoll():
    pass
time.sleep(0.01)
PYTHON
find .. -name id_rsa > /dev/null
grep -r -i password . > /dev/null
echo aGVsbG8K | base64 -d > /dev/null
/bin/sh -c 'sleep 0.05 & wait'
( /nonexistent 2> /dev/null )
umask 077
echo done > done.txt
kill -0 $$
cd ..
