package job

// Play executes a run as the service does.
var Play Executor = play

// FailAt calls f at every point at which a process may die.
func FailAt(o *Options, f func(point string)) { o.fail = f }

// FullAt makes every operation of the results folder ask fails first.
func FullAt(o *Options, fails func() error) {
	d := newFolder(o.Results)
	create, rename, sync := d.create, d.rename, d.syncDir
	d.create = func(name string) (file, error) {
		if err := fails(); err != nil {
			return nil, err
		}
		f, err := create(name)
		return fullFile{f, fails}, err
	}
	d.rename = func(from, to string) error {
		if err := fails(); err != nil {
			return err
		}
		return rename(from, to)
	}
	d.syncDir = func(dir string) error {
		if err := fails(); err != nil {
			return err
		}
		return sync(dir)
	}
	o.folder = d
}

// fullFile fails when it is told to.
type fullFile struct {
	file
	fails func() error
}

func (f fullFile) Write(b []byte) (int, error) {
	if err := f.fails(); err != nil {
		return 0, err
	}
	return f.file.Write(b)
}

func (f fullFile) Sync() error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.file.Sync()
}
