package config

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// networkTypes are the f_type values of file systems that another machine may
// serve, where sockets and locks do not do what they promise. FUSE is among
// them for sshfs; a local FUSE mount only gets its run directory elsewhere.
var networkTypes = map[int64]bool{
	unix.NFS_SUPER_MAGIC: true, unix.SMB_SUPER_MAGIC: true, unix.CIFS_SUPER_MAGIC: true, unix.SMB2_SUPER_MAGIC: true,
	unix.AFS_SUPER_MAGIC: true, unix.CODA_SUPER_MAGIC: true, unix.CEPH_SUPER_MAGIC: true, unix.V9FS_MAGIC: true,
	unix.FUSE_SUPER_MAGIC: true, 0x0BD00BD0 /* Lustre */ : true, 0x47504653 /* GPFS */ : true, 0x786F4256 /* vboxsf */ : true,
}

// onNetwork looks at the deepest part of dir that exists.
func onNetwork(dir string) bool {
	for {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err == nil {
			return networkTypes[int64(st.Type)&0xFFFFFFFF]
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}
