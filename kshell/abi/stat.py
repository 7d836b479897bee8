"""File modes and statx() masks (linux/stat.h), file system types of statfs() (linux/magic.h), mount flags."""

from typing import Final

STATX_TYPE: Final = 0x1
STATX_MODE: Final = 0x2
STATX_NLINK: Final = 0x4
STATX_UID: Final = 0x8
STATX_GID: Final = 0x10
STATX_ATIME: Final = 0x20
STATX_MTIME: Final = 0x40
STATX_CTIME: Final = 0x80
STATX_INO: Final = 0x100
STATX_SIZE: Final = 0x200
STATX_BLOCKS: Final = 0x400
STATX_BASIC_STATS: Final = 0x7ff
STATX_BTIME: Final = 0x800
STATX_MNT_ID: Final = 0x1000
STATX_DIOALIGN: Final = 0x2000
STATX__RESERVED: Final = 0x80000000
STATX_ALL: Final = 0xfff
STATX_ATTR_COMPRESSED: Final = 0x4
STATX_ATTR_IMMUTABLE: Final = 0x10
STATX_ATTR_APPEND: Final = 0x20
STATX_ATTR_NODUMP: Final = 0x40
STATX_ATTR_ENCRYPTED: Final = 0x800
STATX_ATTR_AUTOMOUNT: Final = 0x1000
STATX_ATTR_MOUNT_ROOT: Final = 0x2000
STATX_ATTR_VERITY: Final = 0x100000
STATX_ATTR_DAX: Final = 0x200000

ADFS_SUPER_MAGIC: Final = 0xadf5

AFFS_SUPER_MAGIC: Final = 0xadff

AFS_SUPER_MAGIC: Final = 0x5346414f

AUTOFS_SUPER_MAGIC: Final = 0x187

CEPH_SUPER_MAGIC: Final = 0xc36400

CODA_SUPER_MAGIC: Final = 0x73757245

CRAMFS_MAGIC: Final = 0x28cd3d45
CRAMFS_MAGIC_WEND: Final = 0x453dcd28

DEBUGFS_MAGIC: Final = 0x64626720

SECURITYFS_MAGIC: Final = 0x73636673

SELINUX_MAGIC: Final = 0xf97cff8c

SMACK_MAGIC: Final = 0x43415d53

RAMFS_MAGIC: Final = 0x858458f6

TMPFS_MAGIC: Final = 0x1021994

HUGETLBFS_MAGIC: Final = 0x958458f6

SQUASHFS_MAGIC: Final = 0x73717368

ECRYPTFS_SUPER_MAGIC: Final = 0xf15f

EFS_SUPER_MAGIC: Final = 0x414a53

EROFS_SUPER_MAGIC_V1: Final = 0xe0f5e1e2

EXT2_SUPER_MAGIC: Final = 0xef53

EXT3_SUPER_MAGIC: Final = 0xef53

XENFS_SUPER_MAGIC: Final = 0xabba1974

EXT4_SUPER_MAGIC: Final = 0xef53

BTRFS_SUPER_MAGIC: Final = 0x9123683e

NILFS_SUPER_MAGIC: Final = 0x3434

F2FS_SUPER_MAGIC: Final = 0xf2f52010

HPFS_SUPER_MAGIC: Final = 0xf995e849

ISOFS_SUPER_MAGIC: Final = 0x9660

JFFS2_SUPER_MAGIC: Final = 0x72b6

XFS_SUPER_MAGIC: Final = 0x58465342

PSTOREFS_MAGIC: Final = 0x6165676c

EFIVARFS_MAGIC: Final = 0xde5e81e4

HOSTFS_SUPER_MAGIC: Final = 0xc0ffee

OVERLAYFS_SUPER_MAGIC: Final = 0x794c7630

FUSE_SUPER_MAGIC: Final = 0x65735546

MINIX_SUPER_MAGIC: Final = 0x137f
MINIX_SUPER_MAGIC2: Final = 0x138f

MINIX2_SUPER_MAGIC: Final = 0x2468
MINIX2_SUPER_MAGIC2: Final = 0x2478

MINIX3_SUPER_MAGIC: Final = 0x4d5a

MSDOS_SUPER_MAGIC: Final = 0x4d44

EXFAT_SUPER_MAGIC: Final = 0x2011bab0

NCP_SUPER_MAGIC: Final = 0x564c

NFS_SUPER_MAGIC: Final = 0x6969

OCFS2_SUPER_MAGIC: Final = 0x7461636f

OPENPROM_SUPER_MAGIC: Final = 0x9fa1

QNX4_SUPER_MAGIC: Final = 0x2f

QNX6_SUPER_MAGIC: Final = 0x68191122

AFS_FS_MAGIC: Final = 0x6b414653

REISERFS_SUPER_MAGIC: Final = 0x52654973

SMB_SUPER_MAGIC: Final = 0x517b

CIFS_SUPER_MAGIC: Final = 0xff534d42

SMB2_SUPER_MAGIC: Final = 0xfe534d42

CGROUP_SUPER_MAGIC: Final = 0x27e0eb

CGROUP2_SUPER_MAGIC: Final = 0x63677270

RDTGROUP_SUPER_MAGIC: Final = 0x7655821

STACK_END_MAGIC: Final = 0x57ac6e9d

TRACEFS_MAGIC: Final = 0x74726163

V9FS_MAGIC: Final = 0x1021997

BDEVFS_MAGIC: Final = 0x62646576

DAXFS_MAGIC: Final = 0x64646178

BINFMTFS_MAGIC: Final = 0x42494e4d

DEVPTS_SUPER_MAGIC: Final = 0x1cd1

BINDERFS_SUPER_MAGIC: Final = 0x6c6f6f70

FUTEXFS_SUPER_MAGIC: Final = 0xbad1dea

PIPEFS_MAGIC: Final = 0x50495045

PROC_SUPER_MAGIC: Final = 0x9fa0

SOCKFS_MAGIC: Final = 0x534f434b

SYSFS_MAGIC: Final = 0x62656572

USBDEVICE_SUPER_MAGIC: Final = 0x9fa2

MTD_INODE_FS_MAGIC: Final = 0x11307854

ANON_INODE_FS_MAGIC: Final = 0x9041934

BTRFS_TEST_MAGIC: Final = 0x73727279

NSFS_MAGIC: Final = 0x6e736673

BPF_FS_MAGIC: Final = 0xcafe4a11

AAFS_MAGIC: Final = 0x5a3c69f0

ZONEFS_MAGIC: Final = 0x5a4f4653

UDF_SUPER_MAGIC: Final = 0x15013346

DMA_BUF_MAGIC: Final = 0x444d4142

DEVMEM_MAGIC: Final = 0x454d444d

SECRETMEM_MAGIC: Final = 0x5345434d

MS_RDONLY: Final = 0x1
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_SYNCHRONOUS: Final = 0x10
MS_REMOUNT: Final = 0x20
MS_MANDLOCK: Final = 0x40
MS_DIRSYNC: Final = 0x80
MS_NOSYMFOLLOW: Final = 0x100
MS_NOATIME: Final = 0x400
MS_NODIRATIME: Final = 0x800
MS_BIND: Final = 0x1000
MS_MOVE: Final = 0x2000
MS_REC: Final = 0x4000
MS_VERBOSE: Final = 0x8000
MS_SILENT: Final = 0x8000
MS_POSIXACL: Final = 0x10000
MS_UNBINDABLE: Final = 0x20000
MS_PRIVATE: Final = 0x40000
MS_SLAVE: Final = 0x80000
MS_SHARED: Final = 0x100000
MS_RELATIME: Final = 0x200000
MS_KERNMOUNT: Final = 0x400000
MS_I_VERSION: Final = 0x800000
MS_STRICTATIME: Final = 0x1000000
MS_LAZYTIME: Final = 0x2000000
MS_SUBMOUNT: Final = 0x4000000
MS_NOREMOTELOCK: Final = 0x8000000
MS_NOSEC: Final = 0x10000000
MS_BORN: Final = 0x20000000
MS_ACTIVE: Final = 0x40000000
MS_NOUSER: Final = -2147483648
MS_RMT_MASK: Final = 0x2800051
MS_MGC_VAL: Final = 0xc0ed0000
MS_MGC_MSK: Final = 0xffff0000

S_IRWXUGO: Final = 0o777
S_IALLUGO: Final = 0o7777
S_IRUGO: Final = 0o444
S_IWUGO: Final = 0o222
S_IXUGO: Final = 0o111

MNT_FORCE: Final = 1
MNT_DETACH: Final = 2
MNT_EXPIRE: Final = 4

UMOUNT_NOFOLLOW: Final = 8

ST_RDONLY: Final = 1
ST_NOSUID: Final = 2
ST_NODEV: Final = 4
ST_NOEXEC: Final = 8
ST_SYNCHRONOUS: Final = 16
ST_VALID: Final = 32
ST_MANDLOCK: Final = 64
ST_NOATIME: Final = 1024
ST_NODIRATIME: Final = 2048
ST_RELATIME: Final = 4096

DT_UNKNOWN: Final = 0
DT_FIFO: Final = 1
DT_CHR: Final = 2
DT_DIR: Final = 4
DT_BLK: Final = 6
DT_REG: Final = 8
DT_LNK: Final = 10
DT_SOCK: Final = 12
DT_WHT: Final = 14

S_IFMT: Final = 0o170000
S_IFSOCK: Final = 0o140000
S_IFLNK: Final = 0o120000
S_IFREG: Final = 0o100000
S_IFBLK: Final = 0o060000
S_IFDIR: Final = 0o040000
S_IFCHR: Final = 0o020000
S_IFIFO: Final = 0o010000
S_ISUID: Final = 0o4000
S_ISGID: Final = 0o2000
S_ISVTX: Final = 0o1000
S_IRWXU: Final = 0o700
S_IRUSR: Final = 0o400
S_IWUSR: Final = 0o200
S_IXUSR: Final = 0o100
S_IRWXG: Final = 0o070
S_IRGRP: Final = 0o040
S_IWGRP: Final = 0o020
S_IXGRP: Final = 0o010
S_IRWXO: Final = 0o007
S_IROTH: Final = 0o004
S_IWOTH: Final = 0o002
S_IXOTH: Final = 0o001


def S_ISLNK(mode: int) -> bool:
    """Whether a file mode is that of a symbolic link."""
    return mode & S_IFMT == S_IFLNK


def S_ISREG(mode: int) -> bool:
    """Whether a file mode is that of a regular file."""
    return mode & S_IFMT == S_IFREG


def S_ISDIR(mode: int) -> bool:
    """Whether a file mode is that of a directory."""
    return mode & S_IFMT == S_IFDIR


def S_ISCHR(mode: int) -> bool:
    """Whether a file mode is that of a character device."""
    return mode & S_IFMT == S_IFCHR


def S_ISBLK(mode: int) -> bool:
    """Whether a file mode is that of a block device."""
    return mode & S_IFMT == S_IFBLK


def S_ISFIFO(mode: int) -> bool:
    """Whether a file mode is that of a pipe."""
    return mode & S_IFMT == S_IFIFO


def S_ISSOCK(mode: int) -> bool:
    """Whether a file mode is that of a socket."""
    return mode & S_IFMT == S_IFSOCK
